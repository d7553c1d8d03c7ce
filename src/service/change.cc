#include "service/change.h"

#include <utility>

namespace cc::service {

Change change_of(log::Outcome outcome) {
  Change change{.published = {},
                .revision = outcome.revision(),
                .created = outcome.created(),
                .repeated = outcome.repeated_request()};
  change.published.reserve(static_cast<std::size_t>(outcome.published_size()));
  for (log::Published& one : *outcome.mutable_published()) {
    change.published.push_back({.key = std::move(*one.mutable_key()),
                                .version = one.version(),
                                .revision = one.revision(),
                                .md5 = std::move(*one.mutable_md5()),
                                .sha256 = std::move(*one.mutable_sha256()),
                                .unchanged = one.unchanged()});
  }
  return change;
}

void put(const ConfigKey& key, log::Key& into) {
  into.set_environment(key.environment);
  into.set_application(key.application);
  into.set_cluster(key.cluster);
  into.set_name(key.name);
}

void put(const Expected& expected, log::Expected& into) {
  into.set_revision(expected.revision);
  into.set_any(expected.any);
}

}  // namespace cc::service
