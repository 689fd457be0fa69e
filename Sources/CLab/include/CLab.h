// The files of the teaching page, as they stand in Page/, in the executable.
#pragma once
#include <stddef.h>

enum lab_file { LAB_PAGE, LAB_STYLE, LAB_SCRIPT_ENGINE, LAB_SCRIPT_DRAWING, LAB_SCRIPT_PANELS, LAB_SCRIPT_MAIN, LAB_MODULE };

/// The bytes of one file; `count` is set to how many they are.
const unsigned char *_Nonnull lab_bytes(enum lab_file file, size_t *_Nonnull count);
