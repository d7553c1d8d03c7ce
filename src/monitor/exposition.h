// One scrape: values in, Prometheus's text format out (prometheus-cpp serialises).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "monitor/histogram.h"

namespace cc::monitor {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Exposition {
 public:
  Exposition();
  ~Exposition();
  Exposition(const Exposition&) = delete;
  Exposition& operator=(const Exposition&) = delete;

  // `name` must be in the catalog, with exactly these labels; anything else is a programming error and aborts.
  void add(std::string_view name, double value, const Labels& labels = {});
  void add(std::string_view name, const Histogram::Sample& sample, const Labels& labels = {});
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::monitor
