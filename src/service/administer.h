// What the services that administer share; inside this folder only.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/words.h"
#include "service/context.h"
#include "service/done.h"
#include "state/queries.h"

namespace cc::service {

Task<Result<Done>> propose_done(Context& context, const Call& call, log::Command command);

// invalid_argument, naming the limit; `what` names the text.
Result<> check_length(const Limits& limits, std::string_view text, std::string_view what);

// Cursors of lists that are paged in memory: the name of the last item of the page before.
std::string make_cursor(std::string_view name);
Result<std::string> read_cursor(std::string_view cursor);

// One page of `items` in order of `name_of`, which are unique.
template <class T, class NameOf>
Result<state::Page<T>> page_by_name(std::vector<T> items, const state::PageRequest& request, const NameOf& name_of) {
  TRY(const std::string after, read_cursor(request.cursor));
  std::ranges::sort(items, {}, name_of);
  state::Page<T> page;
  for (T& item : items) {
    if (!after.empty() && std::string(name_of(item)) <= after) continue;
    if (page.items.size() == request.limit) {
      page.next = make_cursor(name_of(page.items.back()));
      break;
    }
    page.items.push_back(std::move(item));
  }
  return page;
}

}  // namespace cc::service
