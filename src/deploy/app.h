// What else than its files must be known of a node by who installs it.
#pragma once

#include <string_view>

namespace cc::deploy {

inline constexpr std::string_view kAppUnit = "config-center.service";
inline constexpr std::string_view kAppUser = "config-center";
inline constexpr std::string_view kAppSettings = "/etc/config-center/config.yaml";
inline constexpr std::string_view kAppFolder = "/opt/config-center";
inline constexpr std::string_view kCurrentRelease = "/opt/config-center/current";  // a link to one of releases/
inline constexpr std::string_view kBinary = "/opt/config-center/current/bin/config-center";

}  // namespace cc::deploy
