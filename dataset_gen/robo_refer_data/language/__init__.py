"""Language: how a program is put into words."""
