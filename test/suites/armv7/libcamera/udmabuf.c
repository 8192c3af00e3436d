/*
 * For tests only: lets libcamera's virtual pipeline allocate its frames where the kernel has no /dev/udmabuf. A frame is
 * then the memfd itself, which can be mapped and passed on as well. It handles only descriptors opened here and passes the
 * rest to the kernel by system call, so that it needs no symbol of the C library.
 *
 * It also delays each frame, as a lens does: libcamerasrc of 0.4 aborts if a frame completes before its request is in the
 * list, which happens every second time with a pipeline that waits for nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 1024
#define EXPOSURE_NS 100000000L
#define PAGE_SHIFT 12
static char is_allocator[DESCRIPTORS_MAX];
static char is_frame[DESCRIPTORS_MAX];

static int open_at(int folder, const char *path, int flags, mode_t mode) {
  if (path == NULL || strcmp(path, "/dev/udmabuf") != 0)
    return (int)syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
  int fd = eventfd(0, EFD_CLOEXEC);
  if (fd >= 0 && fd < DESCRIPTORS_MAX) is_allocator[fd] = 1;
  return fd;
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                        \
  int name(const char *path, int flags, ...) {            \
    va_list rest;                                         \
    va_start(rest, flags);                                \
    mode_t mode = mode_of(flags, rest);                   \
    va_end(rest);                                         \
    return open_at(AT_FDCWD, path, flags, mode);          \
  }
OPEN(open)
OPEN(open64)

static int frame_of(int memfd) {
  int fd = dup(memfd);
  if (fd >= 0 && fd < DESCRIPTORS_MAX) is_frame[fd] = 1;
  return fd;
}

static int control(int fd, unsigned long request, void *argument) {
  unsigned int wanted = (unsigned int)request;
  if (wanted == (unsigned int)UDMABUF_CREATE && fd >= 0 && fd < DESCRIPTORS_MAX && is_allocator[fd])
    return frame_of((int)((struct udmabuf_create *)argument)->memfd);
  /* A memfd needs no cache maintenance, and the kernel would refuse the request for it. */
  if (wanted == (unsigned int)DMA_BUF_IOCTL_SYNC) return 0;
  return (int)syscall(SYS_ioctl, fd, request, argument);
}

#define IOCTL(name)                                       \
  int name(int fd, unsigned long request, ...) {          \
    va_list rest;                                         \
    va_start(rest, request);                              \
    void *argument = va_arg(rest, void *);                \
    va_end(rest);                                         \
    return control(fd, request, argument);                \
  }
IOCTL(ioctl)
/* What a 32-bit program built for 64-bit time calls instead. */
IOCTL(__ioctl_time64)

/* The pipeline maps a frame to write into it; a viewer only reads. */
static void *map(void *address, size_t length, int protection, int flags, int fd, unsigned long long offset) {
  if (fd >= 0 && fd < DESCRIPTORS_MAX && is_frame[fd] && (protection & PROT_WRITE) != 0) {
    struct timespec exposure = {0, EXPOSURE_NS};
    nanosleep(&exposure, NULL);
  }
  return (void *)syscall(SYS_mmap2, address, length, protection, flags, fd, (unsigned long)(offset >> PAGE_SHIFT));
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  return map(address, length, protection, flags, fd, (unsigned long long)offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
  return map(address, length, protection, flags, fd, (unsigned long long)offset);
}
