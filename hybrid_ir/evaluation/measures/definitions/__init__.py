"""The measures themselves, a file a family. Every module in this folder is found by itself."""
