"""A client of the DID API as one writes it from the table of endpoints alone, with Python's requests.

Usage: did_requests.py BASE_URL, and on standard input a JSON object: username, password, other_token (of another account, or
one that has ended: must be refused), foreign_did (somebody else's), country, hook (a URL per style), numbers. Each style
(JSON or form, with or without the trailing slash) goes from login to release over one kept connection. Prints one JSON
object: what the test looks up on the other side. Any surprise is a traceback and exit code 1.
"""
import json
import sys

import requests


class DidError(Exception):
    pass


class DidClient:
    def __init__(self, base, as_form, slash):
        self.base, self.as_form, self.slash = base, as_form, '/' if slash else ''
        self.session = requests.Session()
        self.token = None

    def post(self, path, fields):
        body = {'data': fields} if self.as_form else {'json': fields}
        return self.session.post(f'{self.base}/api/{path}{self.slash}', timeout=30, **body)

    def call(self, path, **fields):
        if self.token:
            fields['token'] = self.token
        answer = self.post(path, fields).json()
        assert isinstance(answer, dict) and type(answer['status']) is bool, answer
        if not answer['status']:
            assert isinstance(answer['error'], str) and answer['error'], answer
            raise DidError(answer['error'])
        assert 'error' not in answer, answer
        return answer

    def login(self, username, password):
        self.token = self.call('login', username=username, password=password)['account_token']
        assert isinstance(self.token, str) and len(self.token) >= 20

    def refused(self, path, **fields):
        try:
            answer = self.call(path, **fields)
        except DidError as error:
            return str(error)
        raise AssertionError(f'{path} {fields} was taken: {answer}')


def find(dids, did_id):
    found = [did for did in dids if str(did['did_id']) == str(did_id)]
    assert len(found) <= 1, found
    return found[0] if found else None


def check_did(did):
    for name in ('did_id', 'did_number', 'type', 'country', 'monthly_cost', 'setup_fee', 'status'):
        assert name in did, (name, did)
    assert did['did_number'].startswith('+') and did['did_number'][1:].isdigit(), did
    assert int(did['did_id']) > 0, did
    assert float(did['monthly_cost']) >= 0 and float(did['setup_fee']) >= 0, did
    assert isinstance(did['status'], str), did


def walk(api, given, i):
    """Login to release, as a customer's own program would; returns what it did."""
    api.login(given['username'], given['password'])
    balance = api.call('balance')
    assert float(balance['balance']) == 12.5 and balance['currency'] == 'EUR', balance
    assert 'mobile' in api.call('did/type-list')['types']

    offered = api.call('did/available', country=given['country'])['dids']
    for did in offered:
        check_did(did)
        assert did['country'] == given['country'], did
    number = given['numbers'][i]
    did = [d for d in offered if d['did_number'] == number][0]
    did_id = did['did_id']
    assert find(api.call('did/list')['dids'], did_id) is None

    api.call('did/assign', did_id=did_id)
    assert find(api.call('did/available', country=given['country'])['dids'], did_id) is None
    check_did(find(api.call('did/list')['dids'], did_id))
    api.refused('did/assign', did_id=did_id)  # it is taken, if by ourselves

    # did_id as it came, as a number, as a string, as the number itself.
    for form in (did_id, int(did_id), str(did_id), number, number[1:]):
        api.call('did/forward', did_id=form, destination='sip:first@example.com', type='sip')
    for kind in ('sip', 'SIP', 'Sip', ' sip '):
        api.call('did/forward', did_id=did_id, destination='sip:agent@example.com', type=kind)
    for kind in ('direct_ip', 'direct-ip', 'Direct IP', 'DIRECT_IP'):
        api.call('did/forward', did_id=did_id, destination='192.0.2.7:5070', type=kind)
    for kind in ('access_number', 'Access Number', 'access-number'):
        api.call('did/forward', did_id=did_id, destination=given['access_number'], type=kind)
    api.call('did/forward', did_id=did_id, destination='sip:agent@example.com', type='sip')
    hooked = api.call('did/forward', did_id=did_id, destination=given['hooks'][i], type='webhook')
    for kind in ('pstn', 'PSTN', 'extension', 'Extension'):
        assert kind.lower() in api.refused('did/forward', did_id=did_id, destination='+19175550100', type=kind)

    mine = find(api.call('did/list')['dids'], did_id)
    assert mine['forward_type'] == 'sip' and mine['forward_destination'] == 'sip:agent@example.com', mine
    assert mine['webhook_url'] == given['hooks'][i], mine
    return {'did_id': did_id, 'number': number, 'secret': hooked['secret'], 'token': api.token}


def wrong(api, given):
    """What goes wrong says so, in the shape in which everything is said."""
    token, api.token = api.token, None
    assert api.refused('login', username=given['username'], password='not the password')
    assert api.refused('login', username=given['username'])
    assert api.refused('login')
    for bad in ('', 'nonsense', 'hst_' + '0' * 40, *given['dead_tokens']):
        for path in ('balance', 'did/type-list', 'did/available', 'did/list', 'did/assign', 'did/forward', 'did/release'):
            answer = api.post(path, {'token': bad, 'did_id': '1', 'destination': 'sip:a@example.com', 'type': 'sip'})
            assert answer.status_code == 401 and answer.json()['status'] is False, (bad, path, answer.text)
            assert answer.headers['Content-Type'].startswith('application/json'), answer.headers
    api.token = token
    for did_id in ('999999999', '0', '-1', 'x', '', '+447700900999', given['foreign_did'], given['foreign_number']):
        errors = {api.refused('did/release', did_id=did_id), api.refused('did/assign', did_id=did_id),
                  api.refused('did/forward', did_id=did_id, destination='sip:a@example.com', type='sip')}
        assert all('did_id' in error for error in errors), errors
    assert 'did_id' in api.refused('did/assign')
    return api.call('did/list')['dids']


def main():
    base, given = sys.argv[1], json.load(sys.stdin)
    if given.get('release'):
        api = DidClient(base, False, False)
        for one in given['release']:
            api.token = one['token']
            api.call('did/release', did_id=one['did_id'])
            assert find(api.call('did/list')['dids'], one['did_id']) is None
            offered = find(api.call('did/available', country=given['country'])['dids'], one['did_id'])
            assert offered and 'forward' not in offered, offered
            assert 'did_id' in api.refused('did/release', did_id=one['did_id'])
            api.call('logout')
            assert api.post('did/list', {'token': api.token}).status_code == 401
        return print(json.dumps({'released': len(given['release'])}))
    done = []
    for i, (as_form, slash) in enumerate(((False, False), (True, False), (False, True), (True, True))):
        api = DidClient(base, as_form, slash)
        done.append(walk(api, given, i))
        missing = done[-1]['did_id']
        assert 'type' in api.refused('did/forward', did_id=missing, destination='sip:a@example.com')
        assert 'destination' in api.refused('did/forward', did_id=missing, type='sip')
        assert len(wrong(api, given)) == i + 1
    print(json.dumps({'done': done}))


main()
