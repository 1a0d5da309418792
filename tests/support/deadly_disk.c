/* Loaded before libc by the tests of deaths: kills its process (SIGKILL) at a commit of SQLite's, as the file DEADLY_DISK
   says once it is there: "5 before" at the fifth commit from then on, before any octet of it is written to the
   write-ahead log; "5 after" once it is written and synced, and nobody heard of it. When the file goes, nobody dies. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef int sync_function(int);
typedef ssize_t write_function(int, void const*, size_t, off64_t);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int left = -1; /* commits, the last of which is the deadly one; -1: not told yet */
static int before;

static int is_log(int descriptor) {
  char name[64];
  char path[4096];
  snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
  ssize_t const size = readlink(name, path, sizeof path - 1);
  return size > 4 && memcmp(path + size - 4, "-wal", 4) == 0;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) {
    pause();
  }
}

static void look_whether_told(void) {
  char const* const path = getenv("DEADLY_DISK");
  FILE* const file = path == NULL ? NULL : fopen(path, "re");
  if (file == NULL) {
    left = -1;
  } else if (left >= 0) {
    fclose(file);
  } else {
    char when[8] = "";
    int count = 0;
    if (fscanf(file, "%d %7s", &count, when) == 2) {
      left = count;
      before = strcmp(when, "before") == 0;
    }
    fclose(file);
  }
}

static void on_write(int descriptor) {
  if (!is_log(descriptor)) {
    return;
  }
  pthread_mutex_lock(&lock);
  look_whether_told();
  if (left == 1 && before) {
    die();
  }
  pthread_mutex_unlock(&lock);
}

static void on_synced(int descriptor) {
  if (!is_log(descriptor)) {
    return;
  }
  pthread_mutex_lock(&lock);
  look_whether_told();
  if (left == 1 && !before) {
    die();
  }
  left -= left > 0;
  pthread_mutex_unlock(&lock);
}

static int sync_by(char const* name, int descriptor) {
  int const result = ((sync_function*)dlsym(RTLD_NEXT, name))(descriptor);
  on_synced(descriptor);
  return result;
}

int fsync(int descriptor) {
  return sync_by("fsync", descriptor);
}

int fdatasync(int descriptor) {
  return sync_by("fdatasync", descriptor);
}

ssize_t pwrite64(int descriptor, void const* octets, size_t size, off64_t offset) {
  on_write(descriptor);
  return ((write_function*)dlsym(RTLD_NEXT, "pwrite64"))(descriptor, octets, size, offset);
}

ssize_t pwrite(int descriptor, void const* octets, size_t size, off_t offset) {
  on_write(descriptor);
  return ((write_function*)dlsym(RTLD_NEXT, "pwrite64"))(descriptor, octets, size, offset);
}
