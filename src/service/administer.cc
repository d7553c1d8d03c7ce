#include "service/administer.h"

#include "proto/command.pb.h"

namespace cc::service {

Task<Result<Done>> propose_done(Context& context, const Call& call, log::Command command) {
  CO_TRY(const log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return Done{.revision = outcome.revision(), .created = outcome.created(), .repeated = outcome.repeated_request()};
}

}  // namespace cc::service
