"""Programs: the meaning of an instruction as typed operations, executed to check uniqueness."""
