#include "CLab.h"

// #embed is of C23; this compiler has it in every dialect.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char page[] = {
#embed "Page/page.html"
};
static const unsigned char style[] = {
#embed "Page/style.css"
};
static const unsigned char engine[] = {
#embed "Page/engine.js"
};
static const unsigned char drawing[] = {
#embed "Page/drawing.js"
};
static const unsigned char panels[] = {
#embed "Page/panels.js"
};
static const unsigned char start[] = {
#embed "Page/main.js"
};
static const unsigned char module[] = {
#embed "Page/module.wasm.gz"
};

#define FILE_OF(bytes) (*count = sizeof(bytes), bytes)

const unsigned char *lab_bytes(enum lab_file file, size_t *count) {
  switch (file) {
  case LAB_PAGE: return FILE_OF(page);
  case LAB_STYLE: return FILE_OF(style);
  case LAB_SCRIPT_ENGINE: return FILE_OF(engine);
  case LAB_SCRIPT_DRAWING: return FILE_OF(drawing);
  case LAB_SCRIPT_PANELS: return FILE_OF(panels);
  case LAB_SCRIPT_MAIN: return FILE_OF(start);
  case LAB_MODULE: return FILE_OF(module);
  }
  return FILE_OF(page);
}
