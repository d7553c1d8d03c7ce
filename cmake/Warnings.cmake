# Our own warnings, as errors. Linked privately, so that they do not reach generated code.
add_library(cc_warnings INTERFACE)
target_compile_options(cc_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wunused -Woverloaded-virtual -Wcast-align -Wimplicit-fallthrough -Wextra-semi
  -Wno-missing-designated-field-initializers -Werror)
