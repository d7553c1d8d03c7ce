// The words of the product as plain values: config keys, formats, releases, and what names may be.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace cc {

using Revision = std::uint64_t;  // the cluster-wide number of a commit; 0 is before the first
using Version = std::uint64_t;   // number of a release within its config: 1, 2, 3 …

enum class Format { properties, yaml, json, toml, xml, text };

std::string_view to_string(Format format) noexcept;
Result<Format> parse_format(std::string_view text);
// By the last extension (.properties .yaml .yml .json .toml .xml); anything else is text.
Format format_of_name(std::string_view config_name) noexcept;
// "application/yaml", "application/json", "text/plain; charset=utf-8", ...
std::string_view media_type(Format format) noexcept;

// What stands between the slashes of a key, or of the beginning of one: of environment, application and cluster those
// that a '/' follows, and as name the rest. Nothing is checked; views into the text.
struct KeyParts {
  std::string_view environment, application, cluster, name;
};
KeyParts parts_of(std::string_view key) noexcept;

// The address of a config: environment / application / cluster / name; a name may hold '/'.
struct ConfigKey {
  std::string environment;
  std::string application;
  std::string cluster;
  std::string name;

  // "prod/order-service/default/application.yaml". Refuses what check() refuses.
  static Result<ConfigKey> parse(std::string_view text);
  static ConfigKey of(const KeyParts& parts);  // does not check
  std::string to_string() const;
  auto operator<=>(const ConfigKey&) const = default;
};

struct Limits {
  std::uint64_t content = 1u << 20;    // bytes of one config
  std::uint64_t transfer = 64u << 20;  // bytes of all configs of one import or export
  std::size_t name = 128;              // bytes of an environment, application, cluster, user name
  std::size_t config_name = 512;       // bytes of a config's name
  std::size_t comment = 4096;          // bytes of a comment or description

  constexpr std::size_t key() const { return 3 * (name + 1) + config_name; }  // bytes of a config key as text
};

// Environment, application, cluster, user, department names: printable UTF-8 without '/', control
// characters or leading/trailing blanks; not empty, not "." or "..". `what` names it in the error.
Result<> check_name(std::string_view name, std::string_view what, std::size_t limit = Limits{}.name);
// A config's name: as above for each '/'-separated segment.
Result<> check_config_name(std::string_view name);
Result<> check(const ConfigKey& key);
// Text for people that stands on one line, such as a display name or an owner: without control characters and those
// that nobody sees; may be empty.
Result<> check_label(std::string_view text, std::string_view what);

// Immutable published content of one config, or the tombstone of a deleted one. Shared between the
// I/O threads by reference count; never changed after it is made.
struct Release {
  ConfigKey key;
  std::string key_text;   // key.to_string()
  Revision revision = 0;  // of the commit that published (or deleted) it
  Version version = 0;    // of a tombstone: the last one published
  bool deleted = false;   // a tombstone: content and checksums are empty
  Format format = Format::text;
  bool secret = false;  // not to be copied to where it would stand in the clear; the next release of the config is, too
  std::string content;
  std::string md5;  // lower-case hex
  std::string sha256;
  std::string etag;  // "\"<revision>\"", with its quotation marks
  std::string author;
  std::string comment;
  Wall time{};
  std::string rolled_back_from;  // decimal version, or empty
};
using ReleasePtr = std::shared_ptr<const Release>;

// One line of a history: a release without its content.
struct ReleaseInfo {
  std::string key;
  Version version = 0;
  Revision revision = 0;
  bool deleted = false;  // the record of a deletion
  Format format = Format::text;
  bool secret = false;
  std::uint64_t size = 0;
  std::string md5, sha256, author, comment;
  Wall time{};
  std::optional<Version> rolled_back_from;
};

struct Draft {
  std::string key;
  Format format = Format::text;
  std::string content;
  std::uint64_t size = 0;    // of the content, also where a list leaves the content out
  Version base_version = 0;  // the release it was started from; 0: none
  Revision revision = 0;     // of the commit that saved it
  std::string md5, author;
  Wall time{};
};

struct Environment {
  std::string name, description;
  Revision revision = 0;
  Wall created{};
};
struct Application {
  std::string name, department, owner, description;
  Revision revision = 0;
  Wall created{};
};
struct Cluster {
  std::string environment, application, name, description;
  Revision revision = 0;
  Wall created{};
};

// Who did what to what, and from where. `before` and `after` are JSON objects as text without secrets
// and without contents of configs (checksums and versions stand for them).
struct AuditRecord {
  std::uint64_t id = 0;
  Wall time{};
  std::string actor, address, request_id;
  std::string action;   // "config.publish", "user.create", "login", ...
  std::string target;   // config key, user name, ...
  std::string outcome;  // "done" or the code of the refusal
  std::string message;  // of a refusal
  std::string before, after;
  Revision revision = 0;    // 0 when nothing changed
  std::uint64_t count = 1;  // of equal attempts, which the record of the first stands for
};

}  // namespace cc
