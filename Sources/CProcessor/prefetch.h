/// What Swift has no word for: instructions to the processor that change nothing but the time that it needs.
#pragma once

/// Begins to bring the line of memory `offset` bytes from `address` into the cache. Nothing need be there.
__attribute__((swift_name("prefetch(_:at:)")))
static inline void processor_prefetch(const void *_Nonnull address, long offset) {
  __builtin_prefetch((const void *)((__UINTPTR_TYPE__)address + (__UINTPTR_TYPE__)offset));
}
