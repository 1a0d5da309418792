// Metrics of one process: counters and gauges with labels, rendered as Prometheus text for /metrics.
//
// A thin face of prometheus-cpp (core), which is included in metrics.cpp only. Handles are cheap to copy and stay
// valid as long as the Metrics object, or until they are forgotten; main() makes one and hands it down.
//
// Threads: handles may be used from any thread; families are registered on the control loop at start.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace process {

using Labels = std::map<std::string, std::string>;

// A default-made handle counts nothing.
class Counter {
 public:
  void add(double value = 1) const;

 private:
  friend class Metrics;
  void* counter_ = nullptr;
};

class Gauge {
 public:
  void set(double value) const;

 private:
  friend class Metrics;
  void* gauge_ = nullptr;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(Metrics const&) = delete;
  Metrics& operator=(Metrics const&) = delete;

  // Same name and labels give the same handle. A bad name, or one name for both kinds, is a broken invariant. Names
  // follow Prometheus: navigator_lookups_total.
  Counter counter(std::string const& name, std::string const& help, Labels const& labels = {});
  Gauge gauge(std::string const& name, std::string const& help, Labels const& labels = {});

  // For labels that name what comes and goes: no longer in text(), and asking again begins anew. Its handles are void.
  // What is not there is passed over.
  void forget(std::string const& name, Labels const& labels);

  [[nodiscard]] std::string text() const;  // exposition format 0.0.4

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace process
