#include "mesh/members/spent_tokens.hpp"

namespace members {

base::Result<void> forget_spent_tokens(database::Database& database, std::int64_t now_s) {
  auto const body = [&](database::Transaction& transaction) -> base::Result<void> {
    for (auto const* const statement :
         {"DELETE FROM enrolment_use WHERE node IN (SELECT name FROM enrolment_certificate) "
          "AND token_id IN (SELECT id FROM enrolment_token WHERE expires_at_s < ?)",
          "DELETE FROM enrolment_token WHERE expires_at_s < ? AND id NOT IN (SELECT token_id FROM enrolment_use)"}) {
      auto const deleted = transaction.execute(statement, {now_s - spent_tokens_kept_s});
      if (!deleted) {
        return deleted.error();
      }
    }
    return {};
  };
  auto const written = database.write(body);
  return written ? base::Result<void>() : base::Result<void>(written.error());
}

}  // namespace members
