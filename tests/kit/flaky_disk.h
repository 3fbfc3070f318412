/* A disk for SQLite that fails on command and forgets unsynced bytes: an sqlite3_vfs that keeps
 * the files in memory, twice: as a process sees them, and as they would be found after a loss of
 * power. Locks and shared memory are those of the system, on empty files of the same names. One
 * mutex; any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum disk_call { DISK_WRITE, DISK_SYNC, DISK_TRUNCATE, DISK_CALLS };

/* The fate of unsynced writes after a loss of power. */
enum disk_fate {
    DISK_KEEPS_ALL,  /* the process alone ended */
    DISK_LOSES_ALL,  /* not a byte of it */
    DISK_KEEPS_SOME, /* any sectors of any writes, in no order: writes are torn */
    DISK_FATES,
};

void disk_start(void);            /* once: becomes SQLite's default */
void disk_reset(uint64_t seed);   /* an empty one */
uint32_t disk_random(uint32_t n); /* 0 … n − 1, from the seed */
/* The n-th such call from now (1, 2 …) gives this SQLite error and is not done. A sync that fails
 * forgets its writes, as Linux does: they are read back, and never written. */
void disk_fail(enum disk_call call, unsigned n, int rc);
/* The n-th change from now is the last one, done in part; after it no change happens any more. */
void disk_stop_at(unsigned n);
bool disk_stopped(void);
bool disk_failed(void); /* the call that disk_fail meant was reached */
/* Starts the machine again: faults are off, and the files are as the fate left them. All files
 * must be closed. */
void disk_restart(enum disk_fate fate);
bool disk_check(const char *path); /* PRAGMA integrity_check says ok */
