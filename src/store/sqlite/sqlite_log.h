/* Writes SQLite's write-ahead log in large pieces. Inside store/: for sqlite.c's writer. */
#pragma once

/* Registers, once, a VFS over the default one and gives its name; NULL when it cannot: the default
 * does it all, then. */
const char *sqlite_log_vfs(void);
