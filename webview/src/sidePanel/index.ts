import './style.css';
import { SidePanel } from './panel';

new SidePanel().start();
