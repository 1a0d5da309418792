#include "base/process/metrics.hpp"

#include "base/result/result.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <exception>

namespace process {

struct Metrics::State {
  // Merge: asking again for a family of the same name gives the one that is there.
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  std::map<std::string, prometheus::Family<prometheus::Counter>*> counters;
  std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges;

  template <typename Families>
  static void forget(Families const& families, std::string const& name, Labels const& labels) {
    if (auto const found = families.find(name); found != families.end()) {
      found->second->Remove(&found->second->Add(labels));
    }
  }
};

void Counter::add(double value) const {
  if (counter_ != nullptr) {
    static_cast<prometheus::Counter*>(counter_)->Increment(value);
  }
}

void Gauge::set(double value) const {
  if (gauge_ != nullptr) {
    static_cast<prometheus::Gauge*>(gauge_)->Set(value);
  }
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(std::string const& name, std::string const& help, Labels const& labels) {
  Counter out;
  try {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
    state_->counters[name] = &family;
    out.counter_ = &family.Add(labels);
  } catch (std::exception const&) {
    ASSERT(!"a metric with a bad name, or the same name for a counter and a gauge");
  }
  return out;
}

Gauge Metrics::gauge(std::string const& name, std::string const& help, Labels const& labels) {
  Gauge out;
  try {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
    state_->gauges[name] = &family;
    out.gauge_ = &family.Add(labels);
  } catch (std::exception const&) {
    ASSERT(!"a metric with a bad name, or the same name for a counter and a gauge");
  }
  return out;
}

void Metrics::forget(std::string const& name, Labels const& labels) {
  State::forget(state_->counters, name, labels);
  State::forget(state_->gauges, name, labels);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace process
