// The links' figures for Prometheus, one series a device, with labels link, node and device.
//
// Threads: as process::Metrics.
#pragma once

#include "base/process/metrics.hpp"
#include "mesh/agent/links/links.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace agent {

class LinkGauges {
 public:
  // `metrics` must outlive this.
  explicit LinkGauges(process::Metrics& metrics) : metrics_(metrics) {}

  // What these links say now; series of links that are gone are forgotten, and so is a value that is not known.
  void show(std::vector<Link> const& links, std::int64_t now_s);

 private:
  void put(std::string const& name, std::string const& help, process::Labels const& labels, double value);

  process::Metrics& metrics_;
  using Series = std::map<std::string, std::map<std::string, process::Labels>>;  // name -> device -> labels
  Series shown_, next_;
};

}  // namespace agent
