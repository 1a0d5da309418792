// ldns behind owners that free what it allocates. Only .cpp files include it: here, in dnssec and in migrate.
//
// Threads: as ldns: values belong to one thread, the type tables are constant.
#pragma once

// Before ldns: without it ldns defines bool, true and false as macros.
#include <stdbool.h>  // NOLINT(modernize-deprecated-headers)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <ldns/ldns.h>
#pragma GCC diagnostic pop

#include <cstdlib>
#include <memory>

namespace dns {

struct FreeRecord {
  void operator()(ldns_rr* record) const { ldns_rr_free(record); }
};
struct FreeRdata {
  void operator()(ldns_rdf* rdata) const { ldns_rdf_deep_free(rdata); }
};
struct FreeText {
  void operator()(char* text) const { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc): ldns allocates so
};
using RecordPtr = std::unique_ptr<ldns_rr, FreeRecord>;
using RdataPtr = std::unique_ptr<ldns_rdf, FreeRdata>;
using TextPtr = std::unique_ptr<char, FreeText>;

}  // namespace dns
