# Two clients have users of the same name, who have nothing to do with each other.
! key acme
> POST users
> {"external_id":"u-1"}
@ X-Fanli-User: u-1
> POST links
> {"text":"https://item.jd.com/100012043970.html"}
! buy
! receive
! settle
> GET wallet
! key other
> GET wallet
> POST users
> {"external_id":"u-1"}
> GET wallet
> GET orders
> GET orders/1
> GET statement
> POST withdrawals/1/cancel
> POST claims/1/proof
> {"paid_fen":5000,"day":"2026-01-15"}
! key other wallet:read
> GET wallet
! key other wallet:read users:act
> GET wallet
> GET orders
