"""What a Linux desktop tells over D-Bus, whichever way it draws."""
