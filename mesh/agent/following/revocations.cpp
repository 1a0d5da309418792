#include "mesh/agent/following/revocations.hpp"

#include "base/process/service.hpp"
#include "mesh/enrolment/enroller.hpp"
#include "mesh/internal_ca/revocations.hpp"

namespace agent {
namespace {

constexpr std::size_t size_limit = 16U << 20U;

}  // namespace

Revocations::Revocations(std::string const& state_directory)
    : root_file_(enrolment::NodeFiles(state_directory).ca),
      list_file_(enrolment::NodeFiles(state_directory).revocations) {}

bool Revocations::differs(std::string_view number) const {
  if (number.empty()) {
    return false;
  }
  auto const text = process::read_file(list_file_, size_limit);
  auto const here = text ? internal_ca::revocations_number(*text) : text.error();
  return !here || std::to_string(*here) != number;
}

base::Result<void> Revocations::take(std::string const& list_pem, std::int64_t now_s) const {
  auto const root = process::read_file(root_file_, size_limit);
  auto const number = root ? internal_ca::verify_revocations(list_pem, *root, now_s) : root.error();
  if (!number) {
    return number.error();
  }
  return process::write_file_atomically(list_file_, list_pem, 0644);
}

}  // namespace agent
