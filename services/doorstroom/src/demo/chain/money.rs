//! How there is income on the day of the move.

use super::*;

impl Chain<'_> {
    pub(super) async fn benefit(&self, client: &Client) -> anyhow::Result<income::BenefitRequest> {
        let request = income::GetBenefitRequestRequest { benefit_request_id: client.benefit.clone() };
        let found = self.social.income("income").get_benefit_request(request).await.said("GetBenefitRequest")?;
        found.benefit_request.context("a benefit request is shown")
    }

    /// Benefit from the first day of the lease.
    pub(super) async fn grant(&self, client: &Client) -> anyhow::Result<()> {
        let now = self.benefit(client).await?;
        let grant = income::BenefitGrant {
            start_on: on(LEASES),
            circumstances: Some(income::Circumstances { age: 41, ..Default::default() }),
            ..Default::default()
        };
        let request = income::DecideBenefitRequest {
            request_id: rid(),
            benefit_request_id: client.benefit.clone(),
            expected_version: now.version,
            decision: Some(income::decide_benefit_request::Decision::Grant(grant)),
        };
        self.social.income("income").decide_benefit(request).await.said("DecideBenefit")?;
        self.world.settle().await
    }

    /// The decision is late: an advance, with the written expectation that there is a right.
    pub(super) async fn advance(&self, client: &Client) -> anyhow::Result<()> {
        let now = self.benefit(client).await?;
        let request = income::PayAdvanceRequest {
            request_id: rid(),
            benefit_request_id: client.benefit.clone(),
            expected_version: now.version,
            amount_cents: 140_150,
            paid_on: on(self.day),
            circumstances: Some(income::Circumstances { age: 41, ..Default::default() }),
            expected_from_on: on(LEASES),
            expected_until: on(Date::constant(2026, 3, 31)),
        };
        self.social.income("income").pay_advance(request).await.said("PayAdvance")?;
        self.world.settle().await
    }

    pub(super) async fn own_income(&self, client: &Client) -> anyhow::Result<()> {
        let request = income::VerifyOwnIncomeRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            expected_version: 0,
            kind: income::OwnIncomeKind::Wages.into(),
            from_on: on(Date::constant(2026, 1, 15)),
            ends_on: None,
        };
        self.social.income("income").verify_own_income(request).await.said("VerifyOwnIncome")?;
        self.world.settle().await
    }

    pub(super) async fn guarantee(&self, allocation: &str) -> anyhow::Result<()> {
        let mut social = self.social.income("income");
        let request = income::ListRentGuaranteesRequest { page_size: 100, ..Default::default() };
        let all = social.list_rent_guarantees(request).await.said("ListRentGuarantees")?.rent_guarantees;
        let asked =
            all.into_iter().find(|guarantee| guarantee.allocation_id == allocation).context("a guarantee was asked")?;
        let grant = income::RentGuaranteeGrant {
            cap_cents: 2 * RENT_CENTS,
            ends_on: on(Date::constant(2026, 12, 31)),
            reason: income::RentGuaranteeReason::DebtsBlockLease.into(),
            bridging: false,
        };
        let request = income::DecideRentGuaranteeRequest {
            request_id: rid(),
            guarantee_id: asked.guarantee_id,
            expected_version: asked.version,
            decision: Some(income::decide_rent_guarantee_request::Decision::Grant(grant)),
        };
        social.decide_rent_guarantee(request).await.said("DecideRentGuarantee").map(drop)
    }
}
