"""What a user would pick instead, written as its own documentation writes it; run as processes of their own."""
