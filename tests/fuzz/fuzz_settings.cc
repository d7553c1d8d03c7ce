// The settings file: any bytes are read as settings or refused with the file's name, never a crash; what was accepted
// shows itself as a file that is accepted again and never shows a secret.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "node/settings.h"

namespace {

// load_settings() reads files only: one in memory.
cc::Result<cc::node::Settings> load(std::string_view yaml) {
  static const int file = ::memfd_create("settings", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, yaml.data(), yaml.size(), 0) != static_cast<ssize_t>(yaml.size()))
    std::abort();
  return cc::node::load_settings(
      {.config_path = path, .flags = {}, .environment = [](const char*) -> const char* { return nullptr; }});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto settings = load({reinterpret_cast<const char*>(data), size});
  if (!settings) {
    if (settings.error().message.empty() || settings.error().code != cc::Code::invalid_argument) std::abort();
    return 0;
  }
  const std::string shown = cc::node::show_settings(*settings);
  if (!settings->security.jwt_secret.empty() && shown.find("jwt_secret: \"***\"") == std::string::npos) std::abort();
  if (!load(shown)) std::abort();
  return 0;
}
