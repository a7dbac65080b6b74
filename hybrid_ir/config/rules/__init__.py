"""Rules between configuration fields, one file a program: checked before anything is read, downloaded or trained."""
