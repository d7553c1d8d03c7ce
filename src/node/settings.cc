#include "node/settings.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "model/format.h"
#include "node/peers.h"

namespace cc::node {
namespace {

const Logger kLog{"settings"};

constexpr std::size_t kShortestSecret = 32;
constexpr std::string_view kFileSuffix = "_file";

const Setting* find_setting(std::string_view name) {
  const auto& all = all_settings();
  const auto found = std::ranges::find(all, name, &Setting::name);
  return found == all.end() ? nullptr : &*found;
}

// The secret that `name` ("security.jwt_secret_file") reads from a file, or null.
const Setting* find_secret_by_file(std::string_view name) {
  if (!name.ends_with(kFileSuffix)) return nullptr;
  const Setting* setting = find_setting(name.substr(0, name.size() - kFileSuffix.size()));
  return setting != nullptr && setting->secret ? setting : nullptr;
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(all_settings(), [&](const Setting& s) {
    return s.name.size() > name.size() && s.name.starts_with(name) && s.name[name.size()] == '.';
  });
}

std::string unknown_setting(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Setting& setting : all_settings())
    names.push_back(setting.name);
  const std::string_view near = nearest(name, names);
  return fmt::format("there is no setting \"{}\"{}; all of them: config-center serve --help", name,
                     near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
}

Result<> set_one(Settings& settings, std::string_view name, std::string_view text, const std::string& origin) {
  const auto at_origin = [&](Error error) {
    return fail(std::move(error).with_context(fmt::format("{}: {}", origin, name)));
  };
  if (const Setting* setting = find_setting(name)) {
    if (auto done = setting->set(settings, text); !done) return at_origin(std::move(done).error());
    settings.origin[std::string(setting->name)] = origin;
    return {};
  }
  if (const Setting* setting = find_secret_by_file(name)) {
    auto content = read_file(Path(text));
    if (!content) return at_origin(Error{Code::invalid_argument, std::move(content).error().message});
    if (auto done = setting->set(settings, trim(*content)); !done) return at_origin(std::move(done).error());
    settings.origin[std::string(setting->name)] = fmt::format("{} ({})", origin, text);
    return {};
  }
  return fail(Code::invalid_argument, fmt::format("{}: {}", origin, unknown_setting(name)));
}

// A list stands for its members joined by commas (peers, hosts).
Result<std::string> text_of(const YAML::Node& node) {
  if (node.IsNull()) return "";
  if (node.IsScalar()) return node.Scalar();
  std::vector<std::string> members;
  for (const YAML::Node& each : node) {
    if (!each.IsScalar()) return fail(Code::invalid_argument, "the members of a list must be plain text");
    members.push_back(each.Scalar());
  }
  return fmt::format("{}", fmt::join(members, ","));
}

// One settings file. A setting may be written as "server: {port: 1}" or as "server.port: 1", and once.
class SettingsFile {
 public:
  SettingsFile(Settings& settings, const std::string& path) : settings_(settings), path_(path) {}

  Result<> read(const YAML::Node& section, const std::string& above = "") {
    std::set<std::string> here;
    for (const auto& member : section) {
      if (!member.first.IsScalar()) return wrong(member.first, "a setting's name must be plain text");
      const std::string name = above.empty() ? member.first.Scalar() : above + "." + member.first.Scalar();
      if (!here.insert(name).second) return wrong(member.first, name + " is given twice");
      TRYV(read_member(member.first, name, member.second));
    }
    return {};
  }

  std::unexpected<Error> wrong(const YAML::Node& at, std::string_view message) const {
    return fail(Code::invalid_argument, fmt::format("{}: {}", origin(at), message));
  }

 private:
  std::string origin(const YAML::Node& at) const { return fmt::format("{} line {}", path_, at.Mark().line + 1); }

  Result<> read_member(const YAML::Node& at, const std::string& name, const YAML::Node& value) {
    if (is_section(name)) {
      if (value.IsMap()) return read(value, name);
      if (value.IsNull()) return {};
      return wrong(at, fmt::format("{} is a section: its settings stand below it", name));
    }
    if (value.IsMap()) {
      if (find_setting(name) == nullptr) return wrong(at, unknown_setting(name));
      return wrong(at, fmt::format("{} takes a value; nothing stands below it", name));
    }
    if (!given_.insert(name).second) return wrong(at, name + " is given twice");
    auto text = text_of(value);
    if (!text) return wrong(at, fmt::format("{}: {}", name, text.error().message));
    return set_one(settings_, name, *text, origin(at));
  }

  Settings& settings_;
  const std::string& path_;
  std::set<std::string> given_;
};

Result<> read_settings_file(Settings& settings, const std::string& path) {
  auto text = read_file(path);
  if (!text) return fail(Code::invalid_argument, fmt::format("settings file: {}", text.error().message));
  // yaml-cpp alone goes on for ever with some of what this refuses.
  if (const auto checked = check_format(Format::yaml, *text); !checked)
    return fail(Code::invalid_argument, fmt::format("{} {}", path, checked.error().message));
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(*text);
    SettingsFile file(settings, path);
    if (documents.size() > 1) return file.wrong(documents[1], "a second document; all settings stand in one");
    if (documents.empty() || documents.front().IsNull()) return {};
    if (!documents.front().IsMap())
      return fail(Code::invalid_argument, path + " line 1: a settings file holds sections, such as \"server:\"");
    return file.read(documents.front());
  } catch (const YAML::Exception& e) {
    return fail(Code::invalid_argument,
                fmt::format("{} line {}, column {}: {}", path, e.mark.line + 1, e.mark.column + 1, e.msg));
  }
}

Result<> check_together(const Settings& s) {
  const auto wrong = [](std::string message) { return fail(Code::invalid_argument, std::move(message)); };
  if (s.server.tls_certificate_file.empty() != s.server.tls_key_file.empty()) {
    return wrong("server.tls needs both certificate_file and key_file");
  }
  if (s.server.max_body < s.server.max_content) return wrong("server.max_body is smaller than server.max_content");
  if (s.raft.heartbeat_interval * 2 > s.raft.election_timeout) {
    return wrong("raft.election_timeout must be at least twice raft.heartbeat_interval");
  }
  const bool raft_tls = !s.raft.tls_certificate_file.empty();
  if (raft_tls != !s.raft.tls_key_file.empty() || raft_tls != !s.raft.tls_ca_file.empty()) {
    return wrong("raft.tls needs certificate_file, key_file and ca_file, or none of them");
  }
  if (!s.monitoring.metrics_path.starts_with('/')) return wrong("monitoring.metrics_path must start with /");
  return {};
}

// Whether there are, or will be, other nodes.
bool has_other_nodes(const Settings& settings) {
  const auto peers = parse_peers(settings.raft.peers, settings.raft.node_id);
  return settings.raft.join || (peers && peers->size() > 1);
}

// Nobody wants to write it twice.
void take_address_from_peers(Settings& settings) {
  if (settings.origin.at("raft.address") != "default") return;
  const auto peers = parse_peers(settings.raft.peers, settings.raft.node_id);
  if (!peers || peers->empty()) return;
  settings.raft.address = std::ranges::find(*peers, settings.raft.node_id, &consensus::Peer::id)->address;
  settings.origin["raft.address"] = fmt::format("raft.peers, {}", settings.origin.at("raft.peers"));
}

// Made once, kept for ever; the folder is closed to others.
Result<std::string> kept_secret(const Path& folder, const std::string& name) {
  const Path file = folder / name;
  auto content = read_file(file);
  if (content) return std::string(trim(*content));
  // What is there and cannot be read is not replaced: it has signed or sealed something.
  if (content.error().code != Code::not_found) return fail(std::move(content).error());
  TRYV(make_directories(folder, 0700));
  std::string made = to_base64url(random_bytes(48));
  TRYV(write_file(file, made + "\n", 0600));
  kLog.info("made a secret for development", {{"file", file.string()}});
  return made;
}

bool is_well_known(std::string_view secret) {
  std::string lower(secret);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool one_letter = lower.find_first_not_of(lower.front()) == std::string::npos;
  return one_letter ||
         std::ranges::any_of(
             std::vector<std::string_view>{"changeme", "change-me", "secretkey012345678901234567890123456789",
                                           "your-secret", "example", "default"},
             [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// `needed_since`: why there must be one, or empty when there need be none.
Result<> check_secret(const Settings& settings, std::string_view name, std::string_view needed_since) {
  const Setting& setting = *find_setting(name);
  const std::string secret = setting.get(settings);
  if (secret.empty() && needed_since.empty()) return {};
  const std::string how = fmt::format("; make one with: openssl rand -hex 32, and give it{} as {}, {}{} or {}",
                                      name == "raft.secret" ? " to all nodes, the same," : "", name, name, kFileSuffix,
                                      setting.environment_variables().back());
  if (secret.empty())
    return fail(Code::invalid_argument, fmt::format("{} is missing, and {}{}", name, needed_since, how));
  if (secret.size() < kShortestSecret) {
    return fail(Code::invalid_argument,
                fmt::format("{} has {} bytes, at least {} are needed{}", name, secret.size(), kShortestSecret, how));
  }
  if (settings.production() && is_well_known(secret)) {
    return fail(Code::invalid_argument, fmt::format("{} is a well-known example{}", name, how));
  }
  return {};
}

}  // namespace

Result<Settings> load_settings(const SettingSources& sources) {
  Settings settings{};
  for (const Setting& setting : all_settings()) {
    TRYV(setting.set(settings, setting.default_text));
    settings.origin[std::string(setting.name)] = "default";
  }
  const char* config_path = sources.environment("CONFIG_PATH");
  const std::string file = !sources.config_path.empty() ? sources.config_path
                           : config_path != nullptr     ? config_path
                                                        : "";
  if (!file.empty()) TRYV(read_settings_file(settings, file));
  for (const Setting& setting : all_settings()) {
    const auto from_variable = [&](const std::string& name, const std::string& from) -> Result<> {
      const char* value = sources.environment(from.c_str());
      if (value == nullptr) return {};
      return set_one(settings, name, value, from);
    };
    for (const std::string& variable : setting.environment_variables()) {
      TRYV(from_variable(std::string(setting.name), variable));
      if (setting.secret) TRYV(from_variable(std::string(setting.name) + "_file", variable + "_FILE"));
    }
  }
  for (const auto& [name, text] : sources.flags) {
    const Setting* setting = find_setting(name);
    TRYV(set_one(settings, name, text, setting != nullptr ? setting->flag() : "--" + name));
  }
  if (settings.temp_dir.empty()) settings.temp_dir = settings.data_dir / "tmp";
  take_address_from_peers(settings);
  TRYV(check_together(settings));
  return settings;
}

Result<> check_secrets(const Settings& settings) {
  // In development those that are missing will be made.
  const std::string_view needed = settings.production() ? "APP_ENV is production" : "";
  TRYV(check_secret(settings, "security.jwt_secret", needed));
  TRYV(check_secret(settings, "security.encryption_key", needed));
  return check_secret(settings, "raft.secret",
                      has_other_nodes(settings) ? "nodes of a group prove with it that they belong together" : "");
}

Result<> complete_secrets(Settings& settings) {
  for (const auto& [secret, name] : {std::pair(&settings.security.jwt_secret, "jwt_secret"),
                                     std::pair(&settings.security.encryption_key, "encryption_key")}) {
    if (!secret->empty() || settings.production()) continue;
    if (!settings.raft.secret.empty()) {
      *secret = to_base64url(hmac_sha256(settings.raft.secret, fmt::format("config-center security.{}", name)));
      continue;
    }
    TRY(*secret, kept_secret(settings.data_dir / "secrets", name));
  }
  return check_secrets(settings);
}

std::string show_settings(const Settings& settings) {
  std::string out;
  std::vector<std::string_view> open;  // sections that the last line stood in
  for (const Setting& setting : all_settings()) {
    const std::vector<std::string_view> parts = split(setting.name, '.');
    std::size_t common = 0;
    while (common < open.size() && common + 1 < parts.size() && open[common] == parts[common])
      ++common;
    for (std::size_t i = common; i + 1 < parts.size(); ++i)
      out += fmt::format("{:{}}{}:\n", "", i * 2, parts[i]);
    open.assign(parts.begin(), parts.end() - 1);

    const std::string value = setting.get(settings);
    YAML::Emitter scalar;
    scalar << (setting.secret && !value.empty() ? "***" : value);
    const std::string text = value.empty() ? "\"\"" : setting.secret ? "\"***\"" : scalar.c_str();
    const std::string& origin = settings.origin.at(std::string(setting.name));
    out += fmt::format("{:{}}{}: {}{}\n", "", open.size() * 2, parts.back(), text,
                       origin == "default" ? "" : "  # " + origin);
  }
  return out;
}

}  // namespace cc::node
