"""The work diary: its rules, its sealing, its store and the one door to it, `diary.diary.Diary`."""
