"""What tests and plugin authors need: hosts made of plain data, and more as it comes."""
