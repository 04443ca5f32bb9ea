# Completes dak in bash: the program itself has the script, so it is never older or newer than that.
source <(dak completions bash)
