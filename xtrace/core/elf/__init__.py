"""Reading ELF files (elf(5)) without pyelftools, which alone takes as long to import as a trace to start."""
