#include "cli/deployment_output.h"

#include <boost/json.hpp>

#include "base/text.h"

namespace cc::cli {

boost::json::object json_of(const deploy::Outcome& outcome) {
  return {{"stage", outcome.stage},
          {"host", outcome.host},
          {"step", outcome.step},
          {"state", deploy::to_string(outcome.state)},
          {"message", outcome.message}};
}

boost::json::object json_of(const deploy::Record& record) {
  return {{"number", record.number},
          {"operation", record.operation},
          {"release", record.release},
          {"who", record.who},
          {"began", format_time(record.began)},
          {"seconds", std::chrono::duration<double>(record.ended - record.began).count()},
          {"result", record.result},
          {"steps", record.outcomes.size()}};
}

}  // namespace cc::cli
