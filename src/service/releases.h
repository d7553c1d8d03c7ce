// Releases: what was published before, what changed in between, and going back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "model/words.h"
#include "service/configs.h"
#include "service/context.h"
#include "service/expected.h"
#include "state/queries.h"

namespace cc::service {

Task<Result<Answer<state::Page<ReleaseInfo>>>> history(Context& context, const Call& call, const ConfigKey& key,
                                                       state::PageRequest page);

// One side of a comparison.
struct Side {
  enum class Kind { draft, published, version } kind = Kind::published;
  Version version = 0;

  static Result<Side> parse(std::string_view text);  // "draft", "published", "12"
  std::string to_string() const;
};

struct Sides {
  std::string before, after;
};

// The content of both. `published` of a config that is not is empty, so that a first draft can be looked at.
Task<Result<Sides>> contents(Context& context, const Call& call, const ConfigKey& key, Side before, Side after);

// A new release with the content of an earlier one.
Task<Result<Change>> roll_back(Context& context, const Call& call, const ConfigKey& key, Version to,
                               std::string comment, std::optional<Expected> expected);

}  // namespace cc::service
