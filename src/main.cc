#include "cli/cli.h"

int main(int argc, char** argv) {
  return cc::cli::run(argc, argv);
}
