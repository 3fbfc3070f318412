#!/bin/sh
# embed.sh NAME FILE HEADER: writes a header that names the file, for what puts it into the program (.incbin).
printf '#define %s_FILE "%s"\n' "$1" "$2" >"$3"
