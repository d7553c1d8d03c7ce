// Every command: each adds itself, its options and its examples to the command above it, and runs what it does
// through the session. One file per command.
#pragma once

namespace CLI {
class App;
}

namespace cc::cli {

class Session;

void add_serve(CLI::App& root, Session& session);
void add_config(CLI::App& root, Session& session);

}  // namespace cc::cli
