-- Commands keep their order per client and service: what one service is asked does not wait for another.
alter table outgoing_command add column service text not null default '';

update outgoing_command
set service = case
    when command like '{"PrepareBenefit%' or command like '{"CompleteBenefit%' or command like '{"WithdrawBenefit%'
        or command like '{"RequestRentGuarantee%' or command like '{"WithdrawRentGuarantee%' then 'income'
    when command like '{"DraftHandover%' or command like '{"CancelHandover%' or command like '{"StartAftercare%'
        or command like '{"EndAftercare%' or command like '{"InvokeRelapseGuarantee%' then 'aftercare'
    when command like '{"OpenGate%' or command like '{"ShutGate%' or command like '{"WithdrawNomination%'
        or command like '{"WithdrawAllocation%' then 'housing'
    else 'access'
end;

drop index outgoing_command_waiting;
create index outgoing_command_waiting on outgoing_command (client_id, service, place) where state = 'waiting';

-- The role that a task is for: an organisation may work in several. Empty for tasks of before; those are everybody's there.
alter table task add column role text not null default '';
