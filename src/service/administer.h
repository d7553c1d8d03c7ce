// What the services that administer share; inside this folder only.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/result.h"
#include "service/context.h"
#include "service/done.h"
#include "state/page.h"

namespace cc::service {

Task<Result<Done>> propose_done(Context& context, const Call& call, log::Command command);

// One page of those of `items` that are `shown`. requires: they are in order of `name_of`, which are unique.
template <class T, class NameOf, class Shown>
Result<state::Page<T>> page_by_name(const std::vector<T>& items, const state::PageRequest& request,
                                    const NameOf& name_of, const Shown& shown) {
  constexpr char kByName = 'n';
  TRY(const std::string after, state::begin_page(request, kByName));
  auto at = after.empty() ? items.begin() : std::ranges::upper_bound(items, after, {}, name_of);
  state::Page<T> page;
  for (; at != items.end(); ++at) {
    if (shown(*at) && !state::take(page, request.limit, kByName, *at, name_of)) break;
  }
  return page;
}

}  // namespace cc::service
