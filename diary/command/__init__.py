"""The commands of the diary's own room, a module a group; `diary.cli` loads the one that is asked for."""
