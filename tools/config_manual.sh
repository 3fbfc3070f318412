#!/bin/sh
# config_manual.sh HOOKSWITCH SCDOC TEMPLATE PAGE: the manual of the configuration. Its keys are those that `HOOKSWITCH config` prints,
# of which each is five lines (a blank one, help, range and unit, variable, ;key = default), under [section] lines.
set -eu
"$1" config | awk -v template="$3" '
  function escaped(s) { gsub(/[\\*_`~]/, "\\\\&", s); return s }
  /^\[/ { section = substr($0, 2, length($0) - 2) "."; next }
  /^# HOOKSWITCH_/ { variable = $2; next }
  /^$/ { help = ""; next }
  /^# / { if (help == "") help = substr($0, 3); else form = substr($0, 3); next }
  /^;/ {
    key = substr($1, 2); value = $0; sub(/^[^=]*= ?/, "", value)
    keys = keys "*" escaped(section key) "*" (value == "" ? "" : " = " escaped(value)) "\n\t" escaped(help) "++\n" escaped(form) "++\n" escaped(variable) "\n\n"
  }
  END { while ((getline line < template) > 0) if (line == "@KEYS@") printf "%s", keys; else print line }
' | "$2" >"$4"
