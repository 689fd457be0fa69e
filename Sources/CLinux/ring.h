// io_uring, of which glibc has nothing. The kernel's header may be older than what is used here, so that what came
// after the first version (Linux 5.1) is written out as numbers.
#pragma once
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int synod_ring_setup(uint32_t entries, struct io_uring_params *parameters) {
  return (int)syscall(425, entries, parameters);
}

// Returns how many requests the kernel has taken; -1 and errno where it took none.
static inline int synod_ring_enter(int ring, uint32_t submitted, uint32_t awaited) {
  return (int)syscall(426, ring, submitted, awaited, awaited > 0 ? IORING_ENTER_GETEVENTS : 0, 0, 0);
}

// IORING_SETUP_COOP_TASKRUN (Linux 5.19): a completion does not interrupt the thread that submitted, which looks for it
// soon enough.
static inline uint32_t synod_ring_calmly(void) { return 1 << 8; }
// IORING_FEAT_SINGLE_MMAP (Linux 5.4).
static inline uint32_t synod_ring_single_map(void) { return 1 << 0; }
static inline off_t synod_ring_map(void) { return IORING_OFF_SQ_RING; }
static inline off_t synod_ring_requests_map(void) { return IORING_OFF_SQES; }

static inline void synod_ring_prepare_write(
    struct io_uring_sqe *request, int descriptor, const void *bytes, uint32_t count, uint64_t offset) {
  uint8_t write = 23;  // IORING_OP_WRITE (Linux 5.6)
  *request = (struct io_uring_sqe){
      .opcode = write, .fd = descriptor, .off = offset, .addr = (uintptr_t)bytes, .len = count};
}

// The kernel reads and writes these words while the program runs.
static inline uint32_t synod_ring_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void synod_ring_store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
