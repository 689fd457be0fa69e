// What the Swift runtime of the teaching page's module needs and nobody else provides: memory. WebAssembly for a browser
// has no C library. Compiled by .ci/lab-module only.
typedef __SIZE_TYPE__ size_t;
typedef unsigned char byte;

void *memcpy(void *restrict to, const void *restrict from, size_t count) { return __builtin_memcpy(to, from, count); }
void *memmove(void *to, const void *from, size_t count) { return __builtin_memmove(to, from, count); }
void *memset(void *to, int value, size_t count) { return __builtin_memset(to, value, count); }

int memcmp(const void *a, const void *b, size_t count) {
  const byte *x = a, *y = b;
  for (size_t place = 0; place < count; place++)
    if (x[place] != y[place]) return x[place] < y[place] ? -1 : 1;
  return 0;
}

// An allocator of size classes, each a power of two with three steps between: what is freed is taken again by the next
// of its class. Blocks bear their class in the 16 bytes before them. Everything it knows is in the linear memory, so
// that a copy of the memory is a checkpoint of the whole run.
extern byte __heap_base;
static byte *top, *end;
static void *freed[32 * 4];

static unsigned class_of(size_t bytes) {
  if (bytes < 32) bytes = 32;
  unsigned power = 31 - __builtin_clz((unsigned)(bytes - 1));
  unsigned quarter = (unsigned)((bytes - 1) >> (power - 2)) & 3;
  return power * 4 + quarter;
}

static size_t bytes_of(unsigned class) {
  size_t base = (size_t)1 << (class / 4);
  return base + (base >> 2) * (class % 4 + 1);
}

void *malloc(size_t bytes) {
  unsigned class = class_of(bytes);
  void **block = freed[class];
  if (block) {
    freed[class] = *block;
    return block;
  }
  if (!top) {
    top = &__heap_base + (16 - (size_t)&__heap_base % 16) % 16;
    end = (byte *)(__builtin_wasm_memory_size(0) << 16);
  }
  size_t needed = (bytes_of(class) + 16 + 15) & ~(size_t)15;
  if ((size_t)(end - top) < needed) {
    size_t pages = (needed - (size_t)(end - top) + 0xFFFF) >> 16;
    if (__builtin_wasm_memory_grow(0, pages + 15) == (size_t)-1) __builtin_trap();
    end = (byte *)(__builtin_wasm_memory_size(0) << 16);
  }
  byte *start = top + 16;
  top += needed;
  *(unsigned *)(start - 16) = class;
  return start;
}

void free(void *block) {
  if (!block) return;
  unsigned class = *(unsigned *)((byte *)block - 16);
  *(void **)block = freed[class];
  freed[class] = block;
}

// Every block is aligned to 16 bytes, and nothing here wants more.
int posix_memalign(void **block, size_t alignment, size_t bytes) {
  if (alignment > 16) __builtin_trap();
  *block = malloc(bytes);
  return 0;
}

// The seeds of hashing; nothing rests on the order of a hash table, and a run must be the same each time.
void arc4random_buf(void *bytes, size_t count) { __builtin_memset(bytes, 0x5A, count); }

// What a compiler's own library would hold: the product of two numbers of 128 bits.
typedef unsigned long long word;
typedef unsigned __int128 wide;

wide __multi3(wide a, wide b) {
  word x = (word)a, y = (word)b;
  word low = (x & 0xFFFFFFFF) * (y & 0xFFFFFFFF), across = (x >> 32) * (y & 0xFFFFFFFF), other = (x & 0xFFFFFFFF) * (y >> 32);
  word middle = (low >> 32) + (across & 0xFFFFFFFF) + (other & 0xFFFFFFFF);
  word high = (x >> 32) * (y >> 32) + (across >> 32) + (other >> 32) + (middle >> 32);
  high += (word)(a >> 64) * y + x * (word)(b >> 64);
  return (wide)high << 64 | (middle << 32 | (low & 0xFFFFFFFF));
}

int putchar(int character) { return character; }
