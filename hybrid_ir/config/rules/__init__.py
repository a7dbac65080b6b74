"""Rules between configuration fields, checked before anything is read, downloaded or trained."""
