#include "acme/protocol/order_machine.hpp"

#include "acme/crypto/encoding.hpp"
#include "acme/crypto/jws.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace protocol {
namespace {

namespace json = boost::json;

constexpr std::size_t alternates_max = 5;

std::string new_order_payload(OrderPlan const& plan) {
  json::array identifiers;
  for (std::string const& name : plan.names) {
    identifiers.push_back(json::object{{"type", "dns"}, {"value", name}});
  }
  json::object order{{"identifiers", std::move(identifiers)}};
  if (!plan.profile.empty()) {
    order["profile"] = plan.profile;
  }
  if (!plan.replaces.empty()) {
    order["replaces"] = plan.replaces;
  }
  return json::serialize(order);
}

bool is_gone(Problem const& problem) {
  return problem.status == 404 || problem.status == 403 || problem.type == "malformed" ||
         problem.type == "unauthorized";
}

std::string not_offered(Authorization const& authorization, std::string const& wanted, ChallengeKind kind) {
  std::string offered;
  for (Challenge const& one : authorization.challenges) {
    offered += (offered.empty() ? "" : ", ") + one.type;
  }
  return std::string("the CA offers no ") + name(kind) + " challenge for '" + wanted +
         "', only: " + (offered.empty() ? "none" : offered) + "; set `challenge` of this CA to one that it offers";
}

std::string with(std::string text, std::string const& detail) {
  return detail.empty() ? text : text + ": " + detail;
}

}  // namespace

OrderMachine::OrderMachine(OrderPlan plan, OrderLimits limits)
    : plan_(std::move(plan)), limits_(limits), interval_(limits.poll_first) {
  std::ranges::sort(plan_.names);
}

Action OrderMachine::resume(Event const& event, Time now) {
  ASSERT(step_ != Step::finished);
  if (std::holds_alternative<Begin>(event)) {
    deadline_ = now + limits_.patience;
    resumed_ = !plan_.order_url.empty();
    return resumed_ ? read() : plan_.perhaps_placed ? search() : place();
  }
  if (auto const* const answer = std::get_if<Answer>(&event)) {
    return on_answer(*answer, now);
  }
  if (auto const* const lost = std::get_if<Lost>(&event)) {
    return on_lost(lost->detail, {}, now);
  }
  if (auto const* const refused = std::get_if<Refused>(&event)) {
    return on_refused(refused->detail);
  }
  return on_done(now);
}

Action OrderMachine::on_answer(Answer const& answer, Time now) {
  if (step_ == Step::deactivate) {
    return next_deactivation();
  }
  if (step_ == Step::alternate) {
    return on_alternate(answer, now);
  }
  if (step_ == Step::account || step_ == Step::list || step_ == Step::candidate) {
    return on_search(answer, now);
  }
  bool const good = answer.status >= 200 && answer.status < 300;
  if (!good) {
    return on_refusal(parse_problem(answer.body, answer.status), answer, now);
  }
  if (step_ != Step::recheck) {
    lost_ = 0;  // a recheck is part of a loss: POST lost, recheck, POST lost, ... must end, too
  }
  switch (step_) {
    case Step::place:
    case Step::read:
    case Step::poll:
    case Step::finalize: {
      auto order = parse_order(answer.body);
      if (!order) {
        return fail(FailureClass::ours, order.error().detail, false);
      }
      return on_order(std::move(*order), answer, now);
    }
    case Step::authorizations:
    case Step::recheck:
    case Step::diagnose: {
      auto const authorization = parse_authorization(answer.body);
      if (!authorization) {
        return fail(FailureClass::ours, authorization.error().detail, false);
      }
      if (step_ == Step::authorizations) {
        return on_authorization(*authorization, now);
      }
      return step_ == Step::recheck ? on_recheck(*authorization) : on_diagnosis(*authorization);
    }
    case Step::challenge:
      proofs_[index_].started = true;
      return next_challenge(now);
    case Step::download:
      return on_certificate(answer, now);
    default:
      break;
  }
  base::invariant_broken("an answer nobody asked for", __FILE__, __LINE__);
}

// CAs word the refusal of `replaces` in several ways: a type of its own, a conflict, or malformed with the member's
// name.
std::optional<Action> OrderMachine::place_without(Problem const& problem) {
  if (step_ != Step::place) {
    return std::nullopt;
  }
  bool const names_it = problem.type == "malformed" && (problem.detail.find("replace") != std::string::npos ||
                                                        problem.detail.find("renewalInfo") != std::string::npos);
  if (!plan_.replaces.empty() &&
      (problem.type == "alreadyReplaced" || problem.type == "conflict" || problem.status == 409 || names_it)) {
    outcome_.notes.push_back("ordered without naming the certificate it replaces: " + problem.text());
    plan_.replaces.clear();
    return place();
  }
  if (!plan_.profile.empty() && problem.type == "invalidProfile") {
    outcome_.notes.push_back("ordered without the profile '" + plan_.profile + "': " + problem.text());
    plan_.profile.clear();
    return place();
  }
  return std::nullopt;
}

// "unauthorized" of a challenge means that the proof was not seen; of a request, that the account may not make it: it
// was deactivated, or is another's (RFC 8555, 7.3.6). Another CA may serve the name then.
FailureClass OrderMachine::class_of_refusal(Problem const& problem) const {
  bool const of_account = problem.type == "unauthorized" && step_ != Step::challenge && step_ != Step::diagnose;
  return of_account ? FailureClass::account : classify(problem);
}

Action OrderMachine::on_refusal(Problem const& problem, Answer const& answer, Time now) {
  if (auto const again = place_without(problem)) {
    return *again;
  }
  FailureClass const kind = class_of_refusal(problem);
  outcome_.problem = problem.type;
  outcome_.instance = problem.instance;
  if (kind == FailureClass::not_before) {
    outcome_.not_before = crypto::parse_retry_after(answer.retry_after, now);
    if (!outcome_.not_before) {
      outcome_.not_before = crypto::retry_after_in_text(problem.detail, now);
    }
    return fail(kind, problem.text(), step_ != Step::place);
  }
  if (step_ == Step::finalize && problem.type == "orderNotReady") {
    return poll_later(answer.retry_after, now);
  }
  if (kind == FailureClass::transient) {
    return on_lost(problem.text(), answer.retry_after, now);
  }
  if (step_ == Step::diagnose) {
    return fail(FailureClass::validation, with("the order is invalid", problem.text()), false);
  }
  if (step_ == Step::challenge && problem.type == "malformed") {
    // The CA says that the challenge is no longer pending: an earlier POST reached it. The order will tell.
    proofs_[index_].started = true;
    return next_challenge(now);
  }
  if (step_ == Step::read && is_gone(problem)) {
    return start_over(problem.text(), now);
  }
  return fail(kind, problem.text(), false);
}

Action OrderMachine::on_lost(std::string const& detail, std::string const& retry_after, Time now) {
  if (step_ == Step::deactivate) {
    return next_deactivation();  // best effort
  }
  if (step_ == Step::alternate) {
    return next_alternate();
  }
  plan_.perhaps_placed = plan_.perhaps_placed || step_ == Step::place;
  auto const pause = limits_.lost_first * (1U << std::min(lost_, 10U));
  if (++lost_ > limits_.lost_max) {
    return fail(FailureClass::transient, with("the CA does not answer", detail), true);
  }
  Time const until = std::max(now + pause, crypto::parse_retry_after(retry_after, now).value_or(now));
  if (until > deadline_) {
    return fail(FailureClass::transient, with("the CA asks to wait too long", detail), true);
  }
  if (step_ == Step::challenge) {
    // It may have been started: ask before another POST.
    last_post_ = Post{proofs_[index_].authorization_url, std::nullopt};
    return wait(Step::recheck, until);
  }
  if (step_ == Step::finalize) {
    last_post_ = Post{plan_.order_url, std::nullopt};
    return wait(Step::poll, until);
  }
  if (step_ == Step::place && !plan_.account_url.empty()) {
    last_post_ = Post{plan_.account_url, std::nullopt};
    return wait(Step::account, until);
  }
  return wait(step_, until);
}

Action OrderMachine::on_done(Time now) {
  if (waiting_) {
    waiting_ = false;
    return last_post_;
  }
  switch (step_) {
    case Step::save:
      return next_authorization();
    case Step::publish:
      index_ = 0;
      return next_challenge(now);
    case Step::store: {
      auto notes = std::move(outcome_.notes);
      outcome_ = Outcome{};
      outcome_.notes = std::move(notes);
      return clean_up();
    }
    case Step::unpublish:
      index_ = 0;
      return next_deactivation();
    default:
      break;
  }
  base::invariant_broken("done without an action", __FILE__, __LINE__);
}

Action OrderMachine::on_refused(std::string const& detail) {
  switch (step_) {
    case Step::save:
      return fail(FailureClass::transient, with("the order's URL cannot be stored", detail), false);
    case Step::publish:
      return fail(FailureClass::deferred, with("not every site answers the challenge values", detail), true);
    case Step::store:
      return fail(FailureClass::transient, with("the certificate cannot be stored", detail), true);
    case Step::unpublish:
      outcome_.cleaned = false;
      index_ = 0;
      return next_deactivation();
    default:
      break;
  }
  base::invariant_broken("refused without an action", __FILE__, __LINE__);
}

Action OrderMachine::on_order(Order order, Answer const& answer, Time now) {
  if (order.names != plan_.names) {
    return resumed_ ? start_over("the stored order is for other names", now)
                    : fail(FailureClass::ours, "the CA answered with an order for other names", false);
  }
  bool const unfinished = order.status == Status::pending || order.status == Status::ready;
  if (step_ == Step::read && unfinished && order.expires.value_or(deadline_) <= now) {
    return start_over("the stored order is past its time", now);
  }
  bool const changed = order.status != order_.status;
  order_ = std::move(order);
  if (order_.expires) {
    deadline_ = std::min(deadline_, *order_.expires);
  }
  if (step_ == Step::place) {
    if (answer.location.empty()) {
      return fail(FailureClass::ours, "the CA placed an order without a Location", false);
    }
    plan_.order_url = answer.location;
    step_ = Step::save;
    return SaveOrder{plan_.order_url};
  }
  if (changed) {
    interval_ = limits_.poll_first;
  }
  switch (order_.status) {
    case Status::pending:
      return step_ == Step::read ? next_authorization() : poll_later(answer.retry_after, now);
    case Status::ready:
      return step_ == Step::finalize ? poll_later(answer.retry_after, now) : finalize();
    case Status::processing:
      return poll_later(answer.retry_after, now);
    case Status::valid:
      return post(Step::download, order_.certificate, std::nullopt);
    default:
      break;
  }
  if (step_ == Step::read) {
    return start_over("the stored order is no longer good", now);
  }
  return diagnose();
}

// After a fresh order its own status may say that every authorization was reused; fetching them says the same.
Action OrderMachine::next_authorization() {
  if (step_ != Step::authorizations) {
    index_ = 0;
    proofs_.clear();
  }
  return post(Step::authorizations, order_.authorizations[index_], std::nullopt);
}

Challenge const* OrderMachine::wanted_of(Authorization const& authorization) const {
  auto const found = std::ranges::find(authorization.challenges, name(plan_.challenge), &Challenge::type);
  return found == authorization.challenges.end() || found->url.empty() ? nullptr : &*found;
}

TxtValue OrderMachine::proof_of(Authorization const& authorization, Challenge const& challenge, Time now) const {
  std::string const at = challenge_label(plan_.challenge, plan_.account_url) + "." + authorization.name;
  if (!is_standing(plan_.challenge)) {
    return {at, crypto::dns01_value(challenge.token, plan_.thumbprint)};
  }
  StandingProof proof{challenge.issuers.front(), plan_.account_url, false, standing_until(now, plan_.standing_life)};
  proof.wildcard = std::ranges::binary_search(plan_.names, "*." + authorization.name);
  return {at, standing_value(proof)};
}

Action OrderMachine::on_authorization(Authorization const& authorization, Time now) {
  // Matched by content: CAs shuffle identifiers and authorizations.
  std::string const wanted = (authorization.wildcard ? "*." : "") + authorization.name;
  if (!std::ranges::binary_search(plan_.names, wanted)) {
    return fail(FailureClass::ours, "the CA wants a proof for '" + wanted + "', which was not ordered", false);
  }
  if (authorization.status == Status::pending) {
    Challenge const* const challenge = wanted_of(authorization);
    Proof proof{order_.authorizations[index_], {}, {}, true};
    if (challenge == nullptr) {
      proofs_.push_back(std::move(proof));  // to be deactivated
      return fail(FailureClass::policy, not_offered(authorization, wanted, plan_.challenge), false);
    }
    proof.challenge_url = challenge->url;
    proof.txt = proof_of(authorization, *challenge, now);
    proof.started = challenge->status != Status::pending;
    proofs_.push_back(std::move(proof));
  } else if (authorization.status != Status::valid) {
    std::string const why = "an authorization for '" + wanted + "' is no longer good";
    return resumed_ ? start_over(why, now) : fail(FailureClass::transient, why, false);
  }
  if (++index_ < order_.authorizations.size()) {
    return next_authorization();
  }
  if (proofs_.empty()) {
    return poll_later({}, now);
  }
  Publish publish;
  std::ranges::transform(proofs_, std::back_inserter(publish.values), &Proof::txt);
  std::ranges::sort(publish.values);
  auto const twice = std::ranges::unique(publish.values);  // a standing proof is for the name and its wildcard
  publish.values.erase(twice.begin(), twice.end());
  publish.standing = is_standing(plan_.challenge);
  step_ = Step::publish;
  published_ = published_ || !publish.standing;
  return publish;
}

Action OrderMachine::next_challenge(Time now) {
  while (index_ < proofs_.size() && proofs_[index_].started) {
    ++index_;
  }
  if (index_ < proofs_.size()) {
    return post(Step::challenge, proofs_[index_].challenge_url, "{}");
  }
  interval_ = limits_.poll_first;
  return poll_later({}, now);
}

Action OrderMachine::on_recheck(Authorization const& authorization) {
  Challenge const* const challenge = wanted_of(authorization);
  Proof& proof = proofs_[index_];
  proof.started =
      authorization.status != Status::pending || challenge == nullptr || challenge->status != Status::pending;
  if (!proof.started) {
    return post(Step::challenge, proof.challenge_url, "{}");
  }
  while (index_ < proofs_.size() && proofs_[index_].started) {
    ++index_;
  }
  return index_ < proofs_.size() ? post(Step::challenge, proofs_[index_].challenge_url, "{}")
                                 : post(Step::poll, plan_.order_url, std::nullopt);
}

Action OrderMachine::poll_later(std::string const& retry_after, Time now) {
  // A CA that says "now" each time is asked less and less often all the same.
  Time const ours = now + interval_;
  Time const until = std::max(ours, crypto::parse_retry_after(retry_after, now).value_or(now));
  if (until == ours) {
    interval_ = std::min(interval_ * 2, limits_.poll_limit);
  }
  if (until > deadline_) {
    return fail(FailureClass::transient, "the order is not finished after a long wait", true);
  }
  last_post_ = Post{plan_.order_url, std::nullopt};
  return wait(Step::poll, until);
}

Action OrderMachine::finalize() {
  // A second finalize only follows a lost answer of the first; the CSR is the same, so it cannot give another
  // certificate.
  if (++finalized_ > 3) {
    return fail(FailureClass::transient, "the CA does not take the signing request", true);
  }
  return post(Step::finalize, order_.finalize, json::serialize(json::object{{"csr", crypto::base64url(plan_.csr)}}));
}

Action OrderMachine::on_certificate(Answer const& answer, Time now) {
  auto certificate = crypto::check_issued(answer.body, plan_.key, plan_.names, now);
  if (!certificate) {
    return fail(FailureClass::ours, certificate.error().detail, false);
  }
  StoreCertificate chain{answer.body, std::move(*certificate)};
  if (plan_.preferred_issuer.empty() || chain.certificate.top_issuer == plan_.preferred_issuer) {
    step_ = Step::store;
    return chain;
  }
  alternates_ = answer.alternates;
  alternates_.resize(std::min(alternates_.size(), alternates_max));
  first_chain_ = std::move(chain);
  index_ = 0;
  return next_alternate();
}

// Alternates are a wish: one that cannot be had, or that is not what was asked for, is passed over.
Action OrderMachine::on_alternate(Answer const& answer, Time now) {
  if (answer.status >= 200 && answer.status < 300) {
    auto certificate = crypto::check_issued(answer.body, plan_.key, plan_.names, now);
    if (certificate && certificate->top_issuer == plan_.preferred_issuer) {
      step_ = Step::store;
      return StoreCertificate{answer.body, std::move(*certificate)};
    }
  }
  return next_alternate();
}

Action OrderMachine::next_alternate() {
  if (index_ < alternates_.size()) {
    return post(Step::alternate, alternates_[index_++], std::nullopt);
  }
  outcome_.notes.push_back("the CA offers no chain that ends with '" + plan_.preferred_issuer +
                           "', this one ends with '" + first_chain_->certificate.top_issuer + "'");
  step_ = Step::store;
  return *first_chain_;
}

// The order's own error seldom says why; the challenges' do.
Action OrderMachine::diagnose() {
  index_ = 0;
  return post(Step::diagnose, order_.authorizations[index_], std::nullopt);
}

Action OrderMachine::on_diagnosis(Authorization const& authorization) {
  for (Challenge const& challenge : authorization.challenges) {
    if (challenge.error) {
      FailureClass const kind = classify(*challenge.error);
      std::string const text = authorization.name + ": " + challenge.error->text();
      return fail(kind == FailureClass::ours ? FailureClass::validation : kind, text, false);
    }
  }
  if (++index_ < order_.authorizations.size()) {
    return post(Step::diagnose, order_.authorizations[index_], std::nullopt);
  }
  if (order_.error) {
    return fail(classify(*order_.error), order_.error->text(), false);
  }
  return fail(FailureClass::validation, "the order became invalid and the CA gives no reason", false);
}

Action OrderMachine::place() {
  return post(Step::place, plan_.new_order_url, new_order_payload(plan_));
}

Action OrderMachine::read() {
  return post(Step::read, plan_.order_url, std::nullopt);
}

// Only an order of an earlier run is replaced by a new one, and only once: resumed_ is false afterwards. TXT values
// of that run may still be there, so they are taken away at the end whether or not new ones were published.
Action OrderMachine::start_over(std::string const& why, Time now) {
  if (!resumed_) {
    return fail(FailureClass::transient, with("the order is gone", why), false);
  }
  resumed_ = false;
  published_ = true;
  plan_.order_url.clear();
  order_ = Order{};
  deadline_ = now + limits_.patience;  // the former one's end is not its successor's
  return place();
}

Action OrderMachine::fail(FailureClass failure, std::string detail, bool keep_order) {
  outcome_.failure = failure;
  outcome_.detail = std::move(detail);
  // Without a URL, what was sent is known: the next run looks for it.
  outcome_.keep_order = keep_order && (!plan_.order_url.empty() || plan_.perhaps_placed);
  outcome_.placed = outcome_.keep_order && !plan_.order_url.empty();
  return clean_up();
}

Action OrderMachine::clean_up() {
  if (published_ || resumed_) {
    step_ = Step::unpublish;
    return Unpublish{};
  }
  index_ = 0;
  return next_deactivation();
}

Action OrderMachine::next_deactivation() {
  bool const needed = outcome_.failure != FailureClass::none && !outcome_.keep_order;
  if (needed && index_ < proofs_.size()) {
    return post(Step::deactivate, proofs_[index_++].authorization_url, R"({"status":"deactivated"})");
  }
  step_ = Step::finished;
  return Finish{outcome_};
}

Action OrderMachine::post(Step step, std::string url, std::optional<std::string> payload) {
  step_ = step;
  last_post_ = Post{std::move(url), std::move(payload)};
  return last_post_;
}

Action OrderMachine::wait(Step step, Time until) {
  step_ = step;
  waiting_ = true;
  return WaitUntil{until};
}

}  // namespace protocol
