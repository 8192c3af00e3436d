/*
 * A library that is preloaded into a process. It logs every change to the files of one folder, in order and with the
 * bytes; fails chosen calls with a chosen errno; and kills the process inside a chosen call. A kind of change that it does
 * not understand (a mapped page, a vectored write) ends the process, so that no change is missed.
 *
 * CRASH_FOLDER    the folder, without a slash at the end; without it nothing happens
 * CRASH_LOG       file that the changes are logged to; recorder.ts reads it
 * CRASH_REPORT_FD descriptor whose writes are logged too, to place them between the changes
 * CRASH_KILL_AT   kill -9 at this change; of a write, half is written first
 * CRASH_FAIL      "errno:first:count:classes"; classes: w write, s sync, o open for writing or creating, n names, r read
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536
#define REAL(result, name, ...)                                                       \
  static result (*real_##name)(__VA_ARGS__);                                          \
  if (real_##name == NULL) real_##name = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static const char *folder;
static size_t folder_length;
static int log_fd = -1, report_fd = -1;
static long kill_at, changes, matched, fail_first, fail_count;
static int fail_errno;
static const char *fail_classes = "";
static uint64_t file_of[FDS]; /* inode number; 0 for files outside the folder */
static char is_folder[FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct __attribute__((packed)) entry {
  uint8_t type;
  uint64_t file;
  uint64_t at;
  uint32_t length;
};

static void stop(const char *why) {
  REAL(ssize_t, write, int, const void *, size_t);
  real_write(2, why, strlen(why));
  real_write(2, "\n", 1);
  _exit(70);
}

__attribute__((constructor)) static void begin(void) {
  const char *text;
  folder = getenv("CRASH_FOLDER");
  if (folder == NULL) return;
  folder_length = strlen(folder);
  if ((text = getenv("CRASH_REPORT_FD")) != NULL) report_fd = atoi(text);
  if ((text = getenv("CRASH_KILL_AT")) != NULL) kill_at = atol(text);
  if ((text = getenv("CRASH_FAIL")) != NULL) {
    int end = 0;
    if (sscanf(text, "%d:%ld:%ld:%n", &fail_errno, &fail_first, &fail_count, &end) < 3) stop("CRASH_FAIL");
    fail_classes = text + end;
  }
  if ((text = getenv("CRASH_LOG")) != NULL) {
    REAL(int, open64, const char *, int, ...);
    log_fd = real_open64(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log_fd < 0) stop("CRASH_LOG cannot be written");
  }
}

static void note(uint8_t type, uint64_t file, uint64_t at, const void *data, size_t length) {
  if (log_fd < 0) return;
  REAL(ssize_t, writev, int, const struct iovec *, int);
  struct entry head = {type, file, at, (uint32_t)length};
  struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
  pthread_mutex_lock(&lock);
  if (real_writev(log_fd, parts, 2) != (ssize_t)(sizeof head + length)) stop("the log is full");
  pthread_mutex_unlock(&lock);
}

/* Whether this call has to fail; sets errno. */
static int fails(char class) {
  if (folder == NULL) return 0;
  if (strchr(fail_classes, class) != NULL) {
    long number = ++matched;
    if (number >= fail_first && number < fail_first + fail_count) {
      errno = fail_errno;
      return 1;
    }
  }
  return 0;
}

static int is_last(void) { return ++changes == kill_at; }
static void end(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static const char *name_in(const char *path) {
  if (folder == NULL || strncmp(path, folder, folder_length) != 0) return NULL;
  if (path[folder_length] == '\0') return "";
  if (path[folder_length] != '/' || strchr(path + folder_length + 1, '/') != NULL) return NULL;
  /* SQLite's index of the log is mapped, and made again from the log by the first who opens the database. */
  size_t length = strlen(path);
  if (length > 4 && strcmp(path + length - 4, "-shm") == 0) return NULL;
  return path + folder_length + 1;
}

static uint64_t inode(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static uint64_t ours(int fd) { return fd >= 0 && fd < FDS ? file_of[fd] : 0; }

static int opened(const char *path, int flags, mode_t mode) {
  REAL(int, open64, const char *, int, ...);
  const char *name = name_in(path);
  if (name == NULL) return real_open64(path, flags, mode);
  int changing = (flags & O_CREAT) != 0 || (flags & O_ACCMODE) != O_RDONLY;
  struct stat before;
  int existed = stat(path, &before) == 0;
  if (changing && fails('o')) return -1;
  if (changing && (!existed || (flags & O_TRUNC)) && is_last()) end();
  int fd = real_open64(path, flags, mode);
  if (fd < 0) return fd;
  if (fd >= FDS) stop("too many files");
  file_of[fd] = inode(fd);
  is_folder[fd] = *name == '\0';
  if (!existed) note('C', file_of[fd], 0, name, strlen(name));
  else if (flags & O_TRUNC) note('T', file_of[fd], 0, NULL, 0);
  return fd;
}

#define MODE(flags)                                          \
  mode_t mode = 0;                                           \
  if ((flags) & (O_CREAT | O_TMPFILE)) {                     \
    va_list rest;                                            \
    va_start(rest, flags);                                   \
    mode = va_arg(rest, mode_t);                             \
    va_end(rest);                                            \
  }

int open(const char *path, int flags, ...) { MODE(flags) return opened(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) {
  MODE(flags)
  REAL(int, openat, int, const char *, int, ...);
  return name_in(path) == NULL ? real_openat(at, path, flags, mode) : opened(path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) {
  MODE(flags)
  REAL(int, openat64, int, const char *, int, ...);
  return name_in(path) == NULL ? real_openat64(at, path, flags, mode) : opened(path, flags, mode);
}

int close(int fd) {
  REAL(int, close, int);
  if (fd >= 0 && fd < FDS) file_of[fd] = 0;
  return real_close(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
  uint64_t file = ours(fd);
  if (file == 0) return real_pwrite64(fd, data, length, at);
  if (fails('w')) return -1;
  if (is_last()) {
    real_pwrite64(fd, data, length / 2, at);
    end();
  }
  ssize_t done = real_pwrite64(fd, data, length, at);
  if (done > 0) note('W', file, (uint64_t)at, data, (size_t)done);
  return done;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

ssize_t write(int fd, const void *data, size_t length) {
  REAL(ssize_t, write, int, const void *, size_t);
  uint64_t file = ours(fd);
  if (file == 0) {
    ssize_t done = real_write(fd, data, length);
    if (fd == report_fd && done > 0) note('P', 0, 0, data, (size_t)done);
    return done;
  }
  if (fails('w')) return -1;
  off64_t at = lseek64(fd, 0, SEEK_CUR);
  if (is_last()) {
    real_write(fd, data, length / 2);
    end();
  }
  ssize_t done = real_write(fd, data, length);
  if (done > 0) note('W', file, (uint64_t)at, data, (size_t)done);
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  if (ours(fd) != 0) stop("writev is not recorded");
  return real_writev(fd, parts, count);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
  if (ours(fd) != 0) stop("pwritev is not recorded");
  return real_pwritev64(fd, parts, count, at);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }

ssize_t pread64(int fd, void *data, size_t length, off64_t at) {
  REAL(ssize_t, pread64, int, void *, size_t, off64_t);
  uint64_t file = ours(fd);
  if (file == 0) return real_pread64(fd, data, length, at);
  if (fails('r')) return -1;
  ssize_t done = real_pread64(fd, data, length, at);
  if (done > 0) note('R', file, (uint64_t)done, NULL, 0);
  return done;
}
ssize_t pread(int fd, void *data, size_t length, off_t at) { return pread64(fd, data, length, at); }

static int synced(int fd, int (*real)(int)) {
  uint64_t file = ours(fd);
  if (file == 0) return real(fd);
  if (fails('s')) return -1;
  if (is_last()) end();
  int result = real(fd);
  if (result == 0) note(is_folder[fd] ? 'D' : 'S', file, 0, NULL, 0);
  return result;
}
int fsync(int fd) {
  REAL(int, fsync, int);
  return synced(fd, real_fsync);
}
int fdatasync(int fd) {
  REAL(int, fdatasync, int);
  return synced(fd, real_fdatasync);
}

int ftruncate64(int fd, off64_t length) {
  REAL(int, ftruncate64, int, off64_t);
  uint64_t file = ours(fd);
  if (file == 0) return real_ftruncate64(fd, length);
  if (fails('w')) return -1;
  if (is_last()) end();
  int result = real_ftruncate64(fd, length);
  if (result == 0) note('T', file, (uint64_t)length, NULL, 0);
  return result;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int rename(const char *from, const char *to) {
  REAL(int, rename, const char *, const char *);
  const char *a = name_in(from), *b = name_in(to);
  if (a == NULL || b == NULL) return real_rename(from, to);
  if (fails('n')) return -1;
  if (is_last()) end();
  int result = real_rename(from, to);
  char names[1024];
  int length = snprintf(names, sizeof names, "%s/%s", a, b);
  if (result == 0) note('N', 0, 0, names, (size_t)length);
  return result;
}

int link(const char *from, const char *to) {
  REAL(int, link, const char *, const char *);
  const char *a = name_in(from), *b = name_in(to);
  if (a == NULL || b == NULL) return real_link(from, to);
  if (fails('n')) return -1;
  if (is_last()) end();
  int result = real_link(from, to);
  char names[1024];
  int length = snprintf(names, sizeof names, "%s/%s", a, b);
  if (result == 0) note('L', 0, 0, names, (size_t)length);
  return result;
}

int unlink(const char *path) {
  REAL(int, unlink, const char *);
  const char *name = name_in(path);
  if (name == NULL) return real_unlink(path);
  if (fails('n')) return -1;
  if (is_last()) end();
  int result = real_unlink(path);
  if (result == 0) note('U', 0, 0, name, strlen(name));
  return result;
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t at) {
  REAL(void *, mmap64, void *, size_t, int, int, int, off64_t);
  if (fd >= 0 && ours(fd) != 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED)) stop("a mapped file is not recorded");
  return real_mmap64(address, length, protection, flags, fd, at);
}
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t at) {
  return mmap64(address, length, protection, flags, fd, at);
}
