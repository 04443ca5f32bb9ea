# The program itself has the script, so it is never older or newer than that.
dak completions fish | source
