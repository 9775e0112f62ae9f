import { describe } from 'vitest';
import { network } from '../../core/models/network/network.ts';
import { familyContract } from './contract.ts';

describe('plain', () => familyContract(network, { params: { epochs: 12, width: 32 }, seeded: true }));
describe('normalised', () => familyContract(network, { params: { epochs: 8, width: 16, normalisation: 'batch', depth: 3 }, seeded: true }));
