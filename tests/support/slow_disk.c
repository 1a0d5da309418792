/* Loaded before libc by the fault tests: while the file SLOW_DISK is there, every sync takes 0.7 s longer, as on a disk
   that is failing or shared. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int sync_function(int);

static int slowly(char const* name, int descriptor) {
  struct timespec const delay = {0, 700000000};
  char const* switched_on_by = getenv("SLOW_DISK");
  if (switched_on_by != NULL && access(switched_on_by, F_OK) == 0) {
    nanosleep(&delay, NULL);
  }
  return ((sync_function*)dlsym(RTLD_NEXT, name))(descriptor);
}

int fsync(int descriptor) {
  return slowly("fsync", descriptor);
}

int fdatasync(int descriptor) {
  return slowly("fdatasync", descriptor);
}
