-- Every start of a request, also those that are over.
create index benefit_start_by_request on benefit_start (benefit_request_id);
