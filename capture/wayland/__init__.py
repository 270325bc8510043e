"""The edges on a Wayland desktop, as far as its compositor lets a program see."""
