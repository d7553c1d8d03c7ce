#include "deploy/secrets.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"

namespace cc::deploy {
namespace {

constexpr std::size_t kOrdinary = 40, kOfVrrp = 8;

struct Kept {
  std::string_view name;  // of its file
  std::string Secrets::* value;
  std::size_t size = kOrdinary;
};
constexpr std::array<Kept, 11> kAll{{{"raft", &Secrets::raft},
                                     {"jwt", &Secrets::jwt},
                                     {"encryption", &Secrets::encryption},
                                     {"database", &Secrets::database},
                                     {"replication", &Secrets::replication},
                                     {"rewind", &Secrets::rewind},
                                     {"cache", &Secrets::cache},
                                     {"vrrp", &Secrets::vrrp, kOfVrrp},
                                     {"statistics", &Secrets::statistics},
                                     {"grafana-admin", &Secrets::grafana_admin},
                                     {"admin", &Secrets::admin}}};

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string made(std::size_t size) {
  return to_hex(random_bytes(size / 2));
}

Result<> check(const Path& file, std::string_view secret, std::size_t size) {
  if (size == kOfVrrp ? secret.size() != size : secret.size() < size) {
    return fail(Code::invalid_argument,
                fmt::format("{} has {} characters, and must have {}{}: remove it to have one made", file.string(),
                            secret.size(), size == kOfVrrp ? "" : "at least ", size));
  }
  if (!std::ranges::all_of(secret, is_plain)) {
    return fail(Code::invalid_argument,
                fmt::format("{} may hold letters and digits alone: remove it to have one made", file.string()));
  }
  return {};
}

}  // namespace

std::vector<std::string> all_of(const Secrets& secrets) {
  std::vector<std::string> all(kAll.size());
  std::ranges::transform(kAll, all.begin(), [&](const Kept& each) { return secrets.*each.value; });
  return all;
}

Result<Secrets> keep_secrets(const Path& folder) {
  TRYV(make_directories(folder, 0700));
  Secrets secrets;
  for (const Kept& each : kAll) {
    const Path file = folder / each.name;
    std::string& secret = secrets.*each.value;
    if (auto kept = read_file(file)) {
      secret = trim(*kept);
      TRYV(check(file, secret, each.size));
    } else if (kept.error().code == Code::not_found) {
      secret = made(each.size);
      TRYV(write_file(file, secret + "\n", 0600));
    } else {
      return fail(std::move(kept).error());
    }
  }
  return secrets;
}

}  // namespace cc::deploy
